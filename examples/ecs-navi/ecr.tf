resource "aws_ecr_repository" "nginx" {
  name         = "ecs-navi-nginx"
  force_delete = true
}

resource "aws_ecr_repository" "api" {
  name         = "ecs-navi-api"
  force_delete = true
}

resource "aws_ecr_repository" "nginx_proxy" {
  name         = "ecs-navi-nginx-proxy"
  force_delete = true
}
