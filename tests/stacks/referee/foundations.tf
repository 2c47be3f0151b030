# Logs, ECR, secrets, parameters, IAM.

resource "aws_cloudwatch_log_group" "kept" {
  name              = "/referee/kept"
  retention_in_days = 14
  tags              = { Name = "kept" }
}

resource "aws_cloudwatch_log_group" "prefix" {
  name_prefix = "referee-"
}

resource "aws_ecr_repository" "main" {
  name                 = "referee/main"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
  tags = { Name = "main" }
}

resource "aws_ecr_repository" "plain" {
  name = "referee/plain"
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

resource "aws_ecr_repository_policy" "main" {
  repository = aws_ecr_repository.main.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "pull"
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

resource "aws_secretsmanager_secret" "main" {
  name                    = "referee/secret"
  description             = "a secret"
  recovery_window_in_days = 0
  tags                    = { Name = "secret" }
}

resource "aws_secretsmanager_secret_version" "main" {
  secret_id     = aws_secretsmanager_secret.main.id
  secret_string = jsonencode({ username = "admin", password = "p" })
}

resource "aws_ssm_parameter" "text" {
  name        = "/referee/text"
  type        = "String"
  value       = "text"
  description = "a text"
  tags        = { Name = "text" }
}

resource "aws_ssm_parameter" "secret" {
  name  = "/referee/secret"
  type  = "SecureString"
  value = "hidden"
}

resource "aws_ssm_parameter" "list" {
  name            = "/referee/list"
  type            = "StringList"
  value           = "a,b"
  allowed_pattern = "^[a-z,]+$"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
    resources = [aws_secretsmanager_secret.main.arn, aws_ssm_parameter.text.arn]
  }
}

resource "aws_iam_role" "main" {
  name                 = "referee-main"
  path                 = "/referee/"
  description          = "a role"
  max_session_duration = 7200
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  tags                 = { Name = "main" }
}

resource "aws_iam_role" "inline" {
  name_prefix         = "referee-inline-"
  assume_role_policy  = data.aws_iam_policy_document.trust.json
  managed_policy_arns = ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]

  inline_policy {
    name   = "secrets"
    policy = data.aws_iam_policy_document.secrets.json
  }
}

resource "aws_iam_policy" "secrets" {
  name        = "referee-secrets"
  description = "a policy"
  policy      = data.aws_iam_policy_document.secrets.json
  tags        = { Name = "secrets" }
}

resource "aws_iam_role_policy_attachment" "own" {
  role       = aws_iam_role.main.name
  policy_arn = aws_iam_policy.secrets.arn
}

resource "aws_iam_role_policy_attachment" "managed" {
  role       = aws_iam_role.main.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "own" {
  name_prefix = "own-"
  role        = aws_iam_role.main.id
  policy      = data.aws_iam_policy_document.secrets.json
}
