# Policy documents in every form that configurations write them: the real provider and ours must write the same bytes.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "ap-northeast-1"
}

data "aws_iam_policy_document" "one_of_each" {
  policy_id = "an-id"

  statement {
    sid           = "Everything"
    effect        = "Deny"
    not_actions   = ["s3:GetObject"]
    not_resources = ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]
  }
}

data "aws_iam_policy_document" "ordered" {
  statement {
    actions   = ["s3:Put*", "ec2:*", "s3:Get*", "a:b"]
    resources = ["arn:aws:s3:::z", "arn:aws:s3:::a/&{aws:username}/<x>&y"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["home/", "a", "home/&{aws:username}/"]
    }
    condition {
      test     = "StringLike"
      variable = "aws:b"
      values   = ["one"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["true"]
    }
  }
  statement {}
}

data "aws_iam_policy_document" "principals" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"]
    }
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:root"]
    }
  }
  statement {
    actions = ["s3:*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
  statement {
    actions = ["s3:*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    not_principals {
      type        = "Federated"
      identifiers = ["b", "a"]
    }
  }
}

data "aws_iam_policy_document" "base" {
  statement {
    sid       = "A"
    actions   = ["a:a"]
    resources = ["*"]
  }
  statement {
    sid       = "B"
    actions   = ["b:b"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "more" {
  statement {
    sid       = "B"
    actions   = ["b:other"]
    resources = ["*"]
  }
  statement {
    actions   = ["nameless:x"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "merged" {
  source_policy_documents   = [data.aws_iam_policy_document.base.json, jsonencode({ Version = "2008-10-17", Id = "src", Statement = [{ Sid = "S", Effect = "Allow", Action = ["z", "y"], Resource = "*", Principal = { AWS = ["b", "a"] }, Condition = { StringEquals = { k = ["v"] } } }] })]
  override_policy_documents = [data.aws_iam_policy_document.more.json]

  statement {
    sid       = "A"
    effect    = "Deny"
    actions   = ["a:own"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "only_sources" {
  source_policy_documents = [data.aws_iam_policy_document.base.json, data.aws_iam_policy_document.principals.json]
}

data "aws_iam_policy_document" "sources_of_text" {
  source_policy_documents = [
    jsonencode({
      Version = "2008-10-17"
      Other   = "x"
      Statement = [
        { Effect = "Allow", Resource = ["r"], Action = ["only"], Principal = { Service = "s", AWS = ["one"] }, Extra = 1 },
        { Effect = "Allow", Action = "a", Resource = "r", Principal = "*" },
        { Effect = "Allow", Action = ["b", "c", "a"], Principal = { Service = ["a", "c", "b"] } },
        { Effect = "Allow", Action = "a", Condition = { Bool = { x = "true" }, A = { z = ["1", "2"], b = "x" } } },
      ]
    }),
    jsonencode({ Statement = [{ Effect = "Allow", Action = "second" }] }),
  ]
}

data "aws_iam_policy_document" "old_version" {
  version = "2008-10-17"
  statement {
    actions   = ["s3:*"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "empty" {}

output "documents" {
  value = [
    for document in [
      data.aws_iam_policy_document.one_of_each,
      data.aws_iam_policy_document.ordered,
      data.aws_iam_policy_document.principals,
      data.aws_iam_policy_document.base,
      data.aws_iam_policy_document.merged,
      data.aws_iam_policy_document.only_sources,
      data.aws_iam_policy_document.sources_of_text,
      data.aws_iam_policy_document.old_version,
      data.aws_iam_policy_document.empty,
    ] : [document.json, document.minified_json, document.id]
  ]
}
