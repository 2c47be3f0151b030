# Route 53 and ACM: zones, records of each kind, a validated certificate, HTTPS with a second certificate by SNI.

resource "aws_vpc" "main" {
  cidr_block           = "10.5.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_vpc" "other" {
  cidr_block = "10.6.0.0/16"
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

resource "aws_route53_zone" "public" {
  name = "example.com"
  tags = { Name = "public" }
}

resource "aws_route53_zone" "private" {
  name    = "internal.example.com."
  comment = "inside"

  vpc {
    vpc_id = aws_vpc.main.id
  }

  lifecycle {
    ignore_changes = [vpc]
  }
}

resource "aws_route53_zone_association" "other" {
  zone_id = aws_route53_zone.private.id
  vpc_id  = aws_vpc.other.id
}

resource "aws_route53_record" "plain" {
  zone_id = aws_route53_zone.private.zone_id
  name    = "db"
  type    = "CNAME"
  ttl     = 300
  records = ["database.internal.example.com"]
}

resource "aws_route53_record" "text" {
  zone_id = aws_route53_zone.public.zone_id
  name    = "Example.com"
  type    = "TXT"
  ttl     = 60
  records = ["v=spf1 -all", "second"]
}

resource "aws_route53_record" "mail" {
  zone_id = aws_route53_zone.public.zone_id
  name    = ""
  type    = "MX"
  ttl     = 60
  records = ["10 mail.example.com", "20 backup.example.com"]
}

resource "aws_route53_record" "weighted" {
  for_each = { blue = 90, green = 10 }

  zone_id        = aws_route53_zone.public.zone_id
  name           = "split.example.com"
  type           = "A"
  ttl            = 60
  records        = ["192.0.2.${each.value}"]
  set_identifier = each.key

  weighted_routing_policy {
    weight = each.value
  }
}

resource "aws_route53_record" "multivalue" {
  zone_id                          = aws_route53_zone.public.zone_id
  name                             = "*.multi"
  type                             = "A"
  ttl                              = 60
  records                          = ["192.0.2.1"]
  set_identifier                   = "one"
  multivalue_answer_routing_policy = true
}

resource "aws_route53_record" "alias" {
  zone_id = aws_route53_zone.public.zone_id
  name    = "www"
  type    = "A"

  alias {
    name                   = aws_lb.main.dns_name
    zone_id                = aws_lb.main.zone_id
    evaluate_target_health = true
  }
}

resource "aws_acm_certificate" "main" {
  domain_name               = "example.com"
  subject_alternative_names = ["*.example.com"]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "second" {
  domain_name       = "shop.example.com"
  validation_method = "DNS"
  tags              = { Name = "second" }
}

resource "aws_route53_record" "validation" {
  for_each = { for option in aws_acm_certificate.main.domain_validation_options : option.domain_name => option }

  allow_overwrite = true
  zone_id         = aws_route53_zone.public.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  ttl             = 60
  records         = [each.value.resource_record_value]
}

resource "aws_route53_record" "second" {
  zone_id = aws_route53_zone.public.zone_id
  name    = tolist(aws_acm_certificate.second.domain_validation_options)[0].resource_record_name
  type    = tolist(aws_acm_certificate.second.domain_validation_options)[0].resource_record_type
  ttl     = 60
  records = [tolist(aws_acm_certificate.second.domain_validation_options)[0].resource_record_value]
}

resource "aws_acm_certificate_validation" "main" {
  certificate_arn         = aws_acm_certificate.main.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_acm_certificate_validation" "second" {
  certificate_arn = aws_acm_certificate.second.arn
  depends_on      = [aws_route53_record.second]
}

resource "aws_lb" "main" {
  name       = "dns"
  subnets    = aws_subnet.main[*].id
  depends_on = [aws_internet_gateway.main]
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate_validation.main.certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_certificate" "second" {
  listener_arn    = aws_lb_listener.https.arn
  certificate_arn = aws_acm_certificate_validation.second.certificate_arn
}
