# ECS and Cloud Map: clusters, definitions with all that public stacks write, services of several kinds, namespaces.

resource "aws_vpc" "main" {
  cidr_block           = "10.7.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "main" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.7.0.0/24"
}

resource "aws_security_group" "tasks" {
  name   = "tasks"
  vpc_id = aws_vpc.main.id
}

resource "aws_service_discovery_private_dns_namespace" "main" {
  name        = "services.local"
  description = "names inside"
  vpc         = aws_vpc.main.id
  tags        = { Name = "services" }
}

resource "aws_service_discovery_http_namespace" "main" {
  name = "services-http"
}

resource "aws_service_discovery_public_dns_namespace" "main" {
  name = "services.example.org"
}

resource "aws_service_discovery_service" "address" {
  name        = "address"
  description = "by A records"

  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.main.id

    dns_records {
      ttl  = 10
      type = "A"
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }
}

resource "aws_service_discovery_service" "port" {
  name = "port"

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.main.id
    routing_policy = "MULTIVALUE"

    dns_records {
      ttl  = 15
      type = "SRV"
    }
  }
  force_destroy = true
}

resource "aws_service_discovery_service" "http" {
  name         = "http"
  namespace_id = aws_service_discovery_http_namespace.main.id
  tags         = { Name = "http" }
}

resource "aws_service_discovery_service" "weighted" {
  name = "weighted"

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.main.id
    routing_policy = "WEIGHTED"

    dns_records {
      ttl  = 20
      type = "A"
    }
  }
}

resource "aws_ecs_cluster" "main" {
  name = "referee"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  configuration {
    execute_command_configuration {
      logging = "DEFAULT"
    }
  }

  service_connect_defaults {
    namespace = aws_service_discovery_http_namespace.main.arn
  }
  tags = { Name = "referee" }
}

resource "aws_ecs_cluster" "plain" {
  name = "referee-plain"
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = 100
    base              = 1
  }
}

resource "aws_iam_role" "execution" {
  name = "referee-execution"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}

resource "aws_ecs_task_definition" "full" {
  family                   = "referee-full"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = "512"
  memory                   = 1024
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.execution.arn
  skip_destroy             = false

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  ephemeral_storage {
    size_in_gib = 30
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([
    {
      name              = "web"
      image             = "web:1"
      essential         = true
      cpu               = 256
      memory            = 512
      memoryReservation = 256
      command           = ["serve"]
      entryPoint        = ["/init"]
      workingDirectory  = "/srv"
      user              = "1000"
      portMappings      = [{ name = "http", containerPort = 80, hostPort = 80, protocol = "tcp", appProtocol = "http" }]
      environment       = [{ name = "B", value = "2" }, { name = "A", value = "1" }]
      secrets           = [{ name = "KEY", valueFrom = "/referee/key" }]
      mountPoints       = [{ sourceVolume = "scratch", containerPath = "/scratch", readOnly = false }]
      ulimits           = [{ name = "nofile", softLimit = 1024, hardLimit = 4096 }]
      dependsOn         = [{ containerName = "helper", condition = "HEALTHY" }]
      dockerLabels      = { purpose = "test" }
      linuxParameters   = { initProcessEnabled = true }
      stopTimeout       = 20
      healthCheck       = { command = ["CMD-SHELL", "true"], interval = 10, timeout = 3, retries = 2, startPeriod = 5 }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          "awslogs-group"         = "/referee"
          "awslogs-region"        = "ap-northeast-1"
          "awslogs-stream-prefix" = "web"
        }
      }
    },
    {
      name                   = "helper"
      image                  = "helper:1"
      essential              = false
      readonlyRootFilesystem = true
      healthCheck            = { command = ["CMD", "true"] }
    },
  ])
  tags = { Name = "full" }
}

resource "aws_ecs_task_definition" "small" {
  family                   = "referee-small"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  container_definitions    = <<-JSON
    [{"name": "app", "image": "app:1", "portMappings": [{"containerPort": 80}]}]
  JSON
}

resource "aws_ecs_service" "full" {
  name                               = "full"
  cluster                            = aws_ecs_cluster.main.id
  task_definition                    = aws_ecs_task_definition.full.arn
  desired_count                      = 0
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  enable_execute_command             = true
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  deployment_minimum_healthy_percent = 50
  deployment_maximum_percent         = 150

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  deployment_controller {
    type = "ECS"
  }

  network_configuration {
    subnets          = [aws_subnet.main.id]
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = true
  }

  service_registries {
    registry_arn = aws_service_discovery_service.address.arn
  }
  tags = { Name = "full" }
}

resource "aws_ecs_service" "spot" {
  name            = "spot"
  cluster         = aws_ecs_cluster.main.name
  task_definition = "${aws_ecs_task_definition.small.family}:${aws_ecs_task_definition.small.revision}"

  capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = 1
  }

  network_configuration {
    subnets = [aws_subnet.main.id]
  }

  service_registries {
    registry_arn   = aws_service_discovery_service.port.arn
    container_name = "app"
    container_port = 80
  }

  lifecycle {
    ignore_changes = [desired_count]
  }
  depends_on = [aws_ecs_cluster_capacity_providers.main]
}

resource "aws_ecs_service" "connected" {
  name            = "connected"
  cluster         = aws_ecs_cluster.main.arn
  task_definition = aws_ecs_task_definition.full.arn
  desired_count   = 0
  launch_type     = "FARGATE"

  network_configuration {
    subnets = [aws_subnet.main.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.main.arn

    service {
      port_name = "http"

      client_alias {
        dns_name = "web"
        port     = 8080
      }
    }
  }
}
