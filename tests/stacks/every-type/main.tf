# One of each type that runs and that the example does not use, in the forms that configurations write them.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "revision" {
  default = 1
}

provider "aws" {
  region = "ap-northeast-1"

  default_tags {
    tags = { Revision = var.revision }
  }
}

data "aws_availability_zones" "all" {
  state = "available"
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = var.revision > 1
}

resource "aws_subnet" "main" {
  count                   = 2
  vpc_id                  = aws_vpc.main.id
  cidr_block              = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone       = data.aws_availability_zones.all.names[count.index]
  map_public_ip_on_launch = var.revision > 1
}

resource "aws_internet_gateway" "main" {}

resource "aws_internet_gateway_attachment" "main" {
  internet_gateway_id = aws_internet_gateway.main.id
  vpc_id              = aws_vpc.main.id
}

resource "aws_default_route_table" "main" {
  default_route_table_id = aws_vpc.main.default_route_table_id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway_attachment.main.internet_gateway_id
  }
}

resource "aws_route_table" "other" {
  vpc_id = aws_vpc.main.id

  dynamic "route" {
    for_each = var.revision > 1 ? ["198.51.100.0/24", "203.0.113.0/24"] : ["203.0.113.0/24"]
    content {
      cidr_block = route.value
      gateway_id = aws_internet_gateway_attachment.main.internet_gateway_id
    }
  }
}

resource "aws_main_route_table_association" "main" {
  vpc_id         = aws_vpc.main.id
  route_table_id = aws_route_table.other.id
}

resource "aws_route_table_association" "main" {
  subnet_id      = aws_subnet.main[0].id
  route_table_id = var.revision > 1 ? aws_default_route_table.main.id : aws_route_table.other.id
}

resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id

  ingress {
    protocol  = "-1"
    self      = true
    from_port = 0
    to_port   = 0
  }
}

resource "aws_security_group" "web" {
  name_prefix = "web-"
  description = "Rules of their own"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  security_group_id = aws_security_group.web.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 79 + var.revision
}

resource "aws_vpc_security_group_ingress_rule" "self" {
  security_group_id            = aws_security_group.web.id
  referenced_security_group_id = aws_security_group.web.id
  ip_protocol                  = "icmp"
  from_port                    = -1
  to_port                      = -1
}

resource "aws_vpc_security_group_egress_rule" "web" {
  security_group_id = aws_security_group.web.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  description       = "revision ${var.revision}"
}

resource "aws_security_group_rule" "many" {
  security_group_id = aws_security_group.web.id
  type              = "ingress"
  protocol          = "17"
  from_port         = 53
  to_port           = 53
  cidr_blocks       = ["10.0.0.0/8", "192.168.0.0/16"]
  description       = "revision ${var.revision}"
}

resource "aws_security_group" "by_attribute" {
  vpc_id = aws_vpc.main.id
  egress = []
  ingress = [for port in range(80, 81 + var.revision) : {
    from_port        = port
    to_port          = port
    protocol         = "tcp"
    cidr_blocks      = ["10.0.0.0/8"]
    description      = null
    ipv6_cidr_blocks = null
    prefix_list_ids  = null
    security_groups  = [aws_security_group.web.id]
    self             = null
  }]
}

resource "aws_iam_role" "task" {
  name_prefix         = "task-"
  description         = "revision ${var.revision}"
  managed_policy_arns = []

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Action = "sts:AssumeRole", Effect = "Allow", Principal = { Service = "ecs-tasks.${data.aws_partition.current.dns_suffix}" } }]
  })

  inline_policy {
    name   = "inline"
    policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
  }
}

resource "aws_iam_policy" "task" {
  name   = "task"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "arn:aws:s3:::bucket-${var.revision}" }] })
}

resource "aws_iam_role_policy_attachment" "task" {
  role       = aws_iam_role.task.name
  policy_arn = aws_iam_policy.task.arn
}

resource "aws_cloudwatch_log_group" "main" {
  name_prefix       = "group-"
  retention_in_days = var.revision > 1 ? 14 : null
}

resource "aws_ecr_repository" "main" {
  name                 = "team/app"
  image_tag_mutability = var.revision > 1 ? "IMMUTABLE" : "MUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "main" {
  repository = aws_ecr_repository.main.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "keep ten"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_secretsmanager_secret" "main" {
  name        = "database"
  description = "revision ${var.revision}"
}

resource "aws_secretsmanager_secret_version" "main" {
  secret_id     = aws_secretsmanager_secret.main.id
  secret_string = jsonencode({ password = "p${var.revision}" })
}

resource "aws_ssm_parameter" "plain" {
  name  = "/app/plain"
  type  = "String"
  value = "v${var.revision}"
}

resource "aws_ssm_parameter" "secret" {
  name        = "/app/secret"
  description = "secret"
  type        = "SecureString"
  value       = "s"
}

resource "aws_route53_zone" "private" {
  name    = "inside.example"
  comment = "revision ${var.revision}"

  vpc {
    vpc_id = aws_vpc.main.id
  }
}

resource "aws_route53_record" "text" {
  zone_id = aws_route53_zone.private.zone_id
  name    = "text"
  type    = "TXT"
  ttl     = 60 * var.revision
  records = ["v=spf1 -all", "two words"]
}

resource "aws_route53_record" "wildcard" {
  zone_id = aws_route53_zone.private.zone_id
  name    = "*.Any.inside.example"
  type    = "A"
  ttl     = 60
  records = ["10.0.0.${var.revision}"]
}

resource "aws_route53_record" "weighted" {
  for_each       = { a = 10, b = 20 }
  zone_id        = aws_route53_zone.private.zone_id
  name           = "weighted.inside.example."
  type           = "CNAME"
  ttl            = 5
  set_identifier = each.key
  records        = ["${each.key}.example"]

  weighted_routing_policy {
    weight = each.value * var.revision
  }
}

resource "aws_lb" "main" {
  name_prefix                = "in-"
  internal                   = true
  subnets                    = aws_subnet.main[*].id
  security_groups            = [aws_security_group.web.id]
  idle_timeout               = 60 * var.revision
  drop_invalid_header_fields = true
}

resource "aws_lb_target_group" "main" {
  for_each             = toset(["blue", "green"])
  name                 = each.key
  port                 = 8080
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = aws_vpc.main.id
  deregistration_delay = 5 * var.revision

  health_check {
    path    = "/revision/${var.revision}"
    matcher = "200-299"
  }

  stickiness {
    type            = "lb_cookie"
    cookie_duration = 3600
  }
}

resource "aws_lb_target_group_attachment" "main" {
  target_group_arn = aws_lb_target_group.main["blue"].arn
  target_id        = "10.0.0.10"
  port             = 8080
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = var.revision > 1 ? "HTTP_302" : "HTTP_301"
    }
  }
}

resource "aws_lb_listener_rule" "weighted" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 10 * var.revision

  action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = { blue = 1, green = var.revision }
        content {
          arn    = aws_lb_target_group.main[target_group.key].arn
          weight = target_group.value
        }
      }
      stickiness {
        enabled  = true
        duration = 60
      }
    }
  }

  condition {
    path_pattern {
      values = ["/a/*", "/b/*"]
    }
  }

  condition {
    http_header {
      http_header_name = "X-Canary"
      values           = ["yes"]
    }
  }

  condition {
    query_string {
      key   = "v"
      value = var.revision
    }
    query_string {
      value = "any"
    }
  }
}

resource "aws_lb_listener_rule" "without_priority" {
  count        = 2
  listener_arn = aws_lb_listener.http.arn

  action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "403"
    }
  }

  condition {
    source_ip {
      values = ["10.${count.index}.0.0/16"]
    }
  }
  condition {
    http_request_method {
      values = ["POST"]
    }
  }
}

resource "aws_service_discovery_http_namespace" "main" {
  name        = "calls"
  description = "revision ${var.revision}"
}

resource "aws_service_discovery_service" "http" {
  name         = "orders"
  namespace_id = aws_service_discovery_http_namespace.main.id
  description  = "revision ${var.revision}"
}

resource "aws_service_discovery_public_dns_namespace" "main" {
  name = "public.example"
}

resource "aws_ecs_cluster" "main" {
  name = "every-type"

  setting {
    name  = "containerInsights"
    value = var.revision > 1 ? "enabled" : "disabled"
  }

  configuration {
    execute_command_configuration {
      logging = "OVERRIDE"
      log_configuration {
        cloud_watch_log_group_name = aws_cloudwatch_log_group.main.name
      }
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = var.revision
    base              = 1
  }
}

resource "aws_ecs_task_definition" "main" {
  family                   = "every-type"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.task.arn

  runtime_platform {
    cpu_architecture        = "X86_64"
    operating_system_family = "LINUX"
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([{
    name        = "app"
    image       = "app:${var.revision}"
    environment = [{ name = "B", value = "2" }, { name = "A", value = "1" }]
    secrets     = [{ name = "PASSWORD", valueFrom = "${aws_secretsmanager_secret.main.arn}:password::" }]
    mountPoints = [{ sourceVolume = "scratch", containerPath = "/scratch" }]
    command     = null
    healthCheck = { command = ["CMD-SHELL", "true"] }
  }])
}

resource "aws_ecs_service" "main" {
  name                               = "every-type"
  cluster                            = aws_ecs_cluster.main.arn
  task_definition                    = aws_ecs_task_definition.main.family
  desired_count                      = var.revision - 1
  deployment_minimum_healthy_percent = 50
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = false

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = aws_subnet.main[*].id
    security_groups = [aws_security_group.web.id]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.main]
}

data "aws_vpc" "by_id" {
  id = aws_vpc.main.id
}

data "aws_subnets" "by_vpc" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.main.id]
  }
  depends_on = [aws_subnet.main]
}

data "aws_ssm_parameter" "plain" {
  name = aws_ssm_parameter.plain.name
}

data "aws_ecs_task_definition" "main" {
  task_definition = aws_ecs_task_definition.main.family
}

data "aws_route53_zone" "private" {
  name         = aws_route53_zone.private.name
  private_zone = true
}

output "seen" {
  value = {
    vpc             = data.aws_vpc.by_id.cidr_block
    subnets         = length(data.aws_subnets.by_vpc.ids)
    parameter       = nonsensitive(data.aws_ssm_parameter.plain.value)
    task_definition = data.aws_ecs_task_definition.main.revision
    zone            = data.aws_route53_zone.private.zone_id == aws_route53_zone.private.zone_id
    region          = data.aws_region.current.name
    account         = data.aws_caller_identity.current.account_id
    repository      = aws_ecr_repository.main.repository_url
  }
}
