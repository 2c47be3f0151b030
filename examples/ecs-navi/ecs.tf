resource "aws_ecs_cluster" "main" {
  name = "${var.service_name}-cluster"
}

# The backend: nginx in front of php-fpm, which listens on the task's own loopback.

resource "aws_ecs_task_definition" "backend" {
  family                   = "${var.service_name}-backend"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.task.arn
  task_role_arn            = aws_iam_role.task.arn

  container_definitions = jsonencode([
    {
      name         = "nginx"
      image        = "${aws_ecr_repository.nginx.repository_url}:${var.image_tag}"
      essential    = true
      portMappings = [{ containerPort = 80, protocol = "tcp" }]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.nginx.name
          awslogs-region        = var.region
          awslogs-stream-prefix = "ecs"
        }
      }
    },
    {
      name         = "api"
      image        = "${aws_ecr_repository.api.repository_url}:${var.image_tag}"
      essential    = true
      portMappings = [{ containerPort = 9000, protocol = "tcp" }]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.api.name
          awslogs-region        = var.region
          awslogs-stream-prefix = "ecs"
        }
      }
    },
  ])
}

resource "aws_ecs_service" "backend" {
  name                   = "${var.service_name}-backend-service"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.backend.arn
  launch_type            = "FARGATE"
  desired_count          = var.backend_desired_count
  enable_execute_command = true

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.backend.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.backend.arn
    container_name   = "nginx"
    container_port   = 80
  }

  service_registries {
    registry_arn = aws_service_discovery_service.backend.arn
  }

  # A target group takes targets once a load balancer uses it; images are pulled through the NAT gateway.
  depends_on = [
    aws_lb_listener_rule.backend,
    aws_route_table_association.private,
    aws_iam_role_policy.task,
  ]
}

# The proxy: nginx that passes everything on to the backend's name.

resource "aws_ecs_task_definition" "proxy" {
  family                   = "${var.service_name}-nginx-proxy"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.task.arn
  task_role_arn            = aws_iam_role.task.arn

  container_definitions = jsonencode([
    {
      name         = "nginx"
      image        = "${aws_ecr_repository.nginx_proxy.repository_url}:${var.image_tag}"
      essential    = true
      portMappings = [{ containerPort = 80, protocol = "tcp" }]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.nginx_proxy.name
          awslogs-region        = var.region
          awslogs-stream-prefix = "ecs"
        }
      }
    },
  ])
}

resource "aws_ecs_service" "proxy" {
  name                   = "${var.service_name}-nginx-proxy-service"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.proxy.arn
  launch_type            = "FARGATE"
  desired_count          = var.proxy_desired_count
  enable_execute_command = true

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.proxy.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.proxy.arn
    container_name   = "nginx"
    container_port   = 80
  }

  service_registries {
    registry_arn = aws_service_discovery_service.proxy.arn
  }

  depends_on = [
    aws_lb_listener_rule.proxy,
    aws_route_table_association.private,
    aws_iam_role_policy.task,
  ]
}
