output "proxy_url" {
  value = "https://${var.domain_name}/"
}

output "api_url" {
  value = "https://api.${var.domain_name}/"
}

output "load_balancer_dns_name" {
  value = aws_lb.main.dns_name
}

output "name_servers" {
  description = "Where the domain's registrar must point, on AWS."
  value       = aws_route53_zone.main.name_servers
}
