# Flow logs to CloudWatch Logs by either argument, in a format of one's own, and to S3.

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "private" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.10.0/24"
}

resource "aws_cloudwatch_log_group" "flows" {
  name = "/vpc/flows"
}

resource "aws_iam_role" "flows" {
  name = "flows"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "vpc-flow-logs.amazonaws.com" } },
    ]
  })
}

resource "aws_flow_log" "vpc" {
  vpc_id                   = aws_vpc.main.id
  traffic_type             = "ALL"
  iam_role_arn             = aws_iam_role.flows.arn
  log_destination          = aws_cloudwatch_log_group.flows.arn
  max_aggregation_interval = 60

  tags = {
    Name = "flows"
  }
}

resource "aws_flow_log" "rejected" {
  subnet_id      = aws_subnet.private.id
  traffic_type   = "REJECT"
  iam_role_arn   = aws_iam_role.flows.arn
  log_group_name = "/vpc/rejected"
  log_format     = "$${interface-id} $${srcaddr} $${dstaddr} $${action}"
}

resource "aws_flow_log" "kept" {
  vpc_id               = aws_vpc.main.id
  traffic_type         = "ACCEPT"
  log_destination_type = "s3"
  log_destination      = "arn:aws:s3:::flows"
}
