# Load balancing: attributes, every kind of condition and action, stickiness, weights, attachments.

resource "aws_vpc" "main" {
  cidr_block = "10.4.0.0/16"
}

resource "aws_subnet" "main" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone = ["ap-northeast-1a", "ap-northeast-1c"][count.index]
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group" "balancer" {
  name   = "balancer"
  vpc_id = aws_vpc.main.id
}

resource "aws_lb" "public" {
  name                       = "public"
  subnets                    = aws_subnet.main[*].id
  security_groups            = [aws_security_group.balancer.id]
  idle_timeout               = 120
  drop_invalid_header_fields = true
  enable_http2               = false
  preserve_host_header       = true
  tags                       = { Name = "public" }
  depends_on                 = [aws_internet_gateway.main]
}

resource "aws_alb" "internal" {
  name_prefix = "int-"
  internal    = true
  subnets     = aws_subnet.main[*].id
}

resource "aws_lb_target_group" "defaults" {
  name        = "defaults"
  port        = 80
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = aws_vpc.main.id
}

resource "aws_lb_target_group" "tuned" {
  name                          = "tuned"
  port                          = 8080
  protocol                      = "HTTP"
  target_type                   = "ip"
  vpc_id                        = aws_vpc.main.id
  deregistration_delay          = 10
  slow_start                    = 30
  load_balancing_algorithm_type = "round_robin"

  health_check {
    path                = "/health"
    port                = "9090"
    matcher             = "200-299,301"
    interval            = 10
    timeout             = 4
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  stickiness {
    type            = "app_cookie"
    cookie_name     = "session"
    cookie_duration = 600
  }
  tags = { Name = "tuned" }
}

resource "aws_alb_target_group" "prefix" {
  name_prefix = "pre-"
  port        = 443
  protocol    = "HTTPS"
  target_type = "ip"
  vpc_id      = aws_vpc.main.id

  health_check {
    enabled  = true
    protocol = "HTTPS"
  }
}

resource "aws_lb_target_group_attachment" "tuned" {
  target_group_arn = aws_lb_target_group.tuned.arn
  target_id        = "10.4.0.200"
  port             = 8081
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.public.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "weighted" {
  load_balancer_arn = aws_lb.public.arn
  port              = 8080

  default_action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.defaults.arn
        weight = 3
      }

      target_group {
        arn    = aws_lb_target_group.tuned.arn
        weight = 1
      }

      stickiness {
        enabled  = true
        duration = 300
      }
    }
  }
  tags = { Name = "weighted" }
}

resource "aws_alb_listener" "internal" {
  load_balancer_arn = aws_alb.internal.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_alb_target_group.prefix.arn
  }
}

resource "aws_lb_listener_rule" "path" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 10

  condition {
    path_pattern {
      values = ["/api/*", "/v?/*"]
    }
  }

  condition {
    http_request_method {
      values = ["GET", "HEAD"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.defaults.arn
  }
}

resource "aws_lb_listener_rule" "header" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 20

  condition {
    http_header {
      http_header_name = "X-Version"
      values           = ["2", "3*"]
    }
  }

  condition {
    query_string {
      key   = "mode"
      value = "test"
    }

    query_string {
      value = "plain"
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "application/json"
      message_body = "{}"
      status_code  = "503"
    }
  }
  tags = { Name = "header" }
}

resource "aws_alb_listener_rule" "source" {
  listener_arn = aws_lb_listener.http.arn

  condition {
    source_ip {
      values = ["10.0.0.0/8"]
    }
  }

  condition {
    host_header {
      values = ["*.example.com"]
    }
  }

  action {
    type = "redirect"

    redirect {
      host        = "www.example.com"
      path        = "/new/#{path}"
      query       = "from=old&#{query}"
      status_code = "HTTP_302"
    }
  }
  depends_on = [aws_lb_listener_rule.path, aws_lb_listener_rule.header]
}

resource "aws_lb_listener_rule" "weights" {
  listener_arn = aws_lb_listener.weighted.arn
  priority     = 5

  condition {
    path_pattern {
      values = ["/split"]
    }
  }

  action {
    type = "forward"

    forward {
      target_group {
        arn = aws_lb_target_group.defaults.arn
      }

      target_group {
        arn    = aws_lb_target_group.tuned.arn
        weight = 0
      }
    }
  }
}
