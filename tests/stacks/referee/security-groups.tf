# Security groups in all three styles, and the default group.

resource "aws_vpc" "main" {
  cidr_block = "10.3.0.0/16"
}

resource "aws_security_group" "inline" {
  name        = "inline"
  description = "Rules in the group itself"
  vpc_id      = aws_vpc.main.id

  ingress {
    description = "HTTP"
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8", "192.168.0.0/16"]
    self        = true
  }

  ingress {
    from_port        = 443
    to_port          = 443
    protocol         = "TCP"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }

  ingress {
    from_port   = 8
    to_port     = -1
    protocol    = "icmp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = { Name = "inline" }
}

resource "aws_security_group" "no_rules" {
  name   = "no-rules"
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group" "prefix" {
  name_prefix = "prefix-"
  vpc_id      = aws_vpc.main.id

  ingress {
    from_port       = 0
    to_port         = 65535
    protocol        = "udp"
    security_groups = [aws_security_group.inline.id, aws_security_group.no_rules.id]
  }
}

resource "aws_security_group" "separate" {
  name   = "separate"
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group_rule" "cidr" {
  type              = "ingress"
  security_group_id = aws_security_group.separate.id
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["10.3.0.0/24", "10.3.1.0/24"]
  description       = "SSH"
}

resource "aws_security_group_rule" "group" {
  type                     = "ingress"
  security_group_id        = aws_security_group.separate.id
  from_port                = 80
  to_port                  = 80
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.inline.id
}

resource "aws_security_group_rule" "self" {
  type              = "ingress"
  security_group_id = aws_security_group.separate.id
  from_port         = 0
  to_port           = 0
  protocol          = "all"
  self              = true
}

resource "aws_security_group_rule" "out" {
  type              = "egress"
  security_group_id = aws_security_group.separate.id
  from_port         = 0
  to_port           = 0
  protocol          = "-1"
  cidr_blocks       = ["0.0.0.0/0"]
  ipv6_cidr_blocks  = ["::/0"]
}

resource "aws_security_group" "single" {
  name   = "single"
  vpc_id = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "cidr" {
  security_group_id = aws_security_group.single.id
  cidr_ipv4         = "10.3.0.0/16"
  from_port         = 8080
  to_port           = 8090
  ip_protocol       = "tcp"
  description       = "from the VPC"
  tags              = { Name = "vpc" }
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  security_group_id            = aws_security_group.single.id
  referenced_security_group_id = aws_security_group.inline.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.single.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id

  ingress {
    protocol  = -1
    self      = true
    from_port = 0
    to_port   = 0
  }
  tags = { Name = "default" }
}
