# The data sources that public stacks read; their answers are outputs.

resource "aws_vpc" "main" {
  cidr_block           = "10.9.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "lookup", Tier = "one" }
}

resource "aws_subnet" "main" {
  for_each          = { a = 1, c = 2 }
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.9.${each.value}.0/24"
  availability_zone = "ap-northeast-1${each.key}"
  tags              = { Name = "lookup-${each.key}" }
}

resource "aws_security_group" "main" {
  name   = "lookup"
  vpc_id = aws_vpc.main.id
}

resource "aws_route53_zone" "main" {
  name = "lookup.example.com"
}

resource "aws_ssm_parameter" "main" {
  name  = "/lookup"
  type  = "String"
  value = "found"
}

resource "aws_iam_role" "main" {
  name               = "lookup"
  assume_role_policy = data.aws_iam_policy_document.main.json
}

resource "aws_ecr_repository" "main" {
  name = "lookup"
}

resource "aws_ecs_cluster" "main" {
  name = "lookup"
}

resource "aws_ecs_task_definition" "main" {
  family                   = "lookup"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "app", image = "app:1" }])
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_availability_zones" "all" {}

data "aws_availability_zones" "some" {
  state         = "available"
  exclude_names = ["ap-northeast-1d"]
}

data "aws_iam_policy_document" "main" {
  statement {
    sid     = "trust"
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_vpc" "tagged" {
  tags       = { Name = "lookup" }
  depends_on = [aws_vpc.main]
}

data "aws_vpc" "by_id" {
  id = aws_vpc.main.id
}

data "aws_vpcs" "tagged" {
  tags       = { Tier = "one" }
  depends_on = [aws_vpc.main]
}

data "aws_subnets" "of_vpc" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.main.id]
  }
  depends_on = [aws_subnet.main]
}

data "aws_subnet" "a" {
  vpc_id            = aws_vpc.main.id
  availability_zone = "ap-northeast-1a"
  depends_on        = [aws_subnet.main]
}

data "aws_security_group" "main" {
  name   = aws_security_group.main.name
  vpc_id = aws_vpc.main.id
}

data "aws_route53_zone" "main" {
  name       = "lookup.example.com"
  depends_on = [aws_route53_zone.main]
}

data "aws_ssm_parameter" "main" {
  name = aws_ssm_parameter.main.name
}

data "aws_iam_role" "main" {
  name = aws_iam_role.main.name
}

data "aws_ecr_repository" "main" {
  name = aws_ecr_repository.main.name
}

data "aws_ecs_cluster" "main" {
  cluster_name = aws_ecs_cluster.main.name
}

data "aws_ecs_task_definition" "main" {
  task_definition = aws_ecs_task_definition.main.family
}
