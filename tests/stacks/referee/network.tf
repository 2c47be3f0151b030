# Network: VPCs, subnets, gateways, routes in all forms, addresses, network ACLs, endpoints.

resource "aws_vpc" "main" {
  cidr_block           = "10.1.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "main" }
}

resource "aws_vpc" "plain" {
  cidr_block         = "10.2.0.0/16"
  enable_dns_support = false
}

resource "aws_subnet" "public" {
  for_each = { a = 1, c = 2 }

  vpc_id                  = aws_vpc.main.id
  cidr_block              = cidrsubnet(aws_vpc.main.cidr_block, 8, each.value)
  availability_zone       = "ap-northeast-1${each.key}"
  map_public_ip_on_launch = true
  tags                    = { Name = "public-${each.key}", Tier = "public" }
}

resource "aws_subnet" "private" {
  vpc_id               = aws_vpc.main.id
  cidr_block           = "10.1.10.0/24"
  availability_zone_id = "apne1-az4"
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_internet_gateway" "loose" {
  tags = { Name = "loose" }
}

resource "aws_internet_gateway_attachment" "loose" {
  vpc_id              = aws_vpc.plain.id
  internet_gateway_id = aws_internet_gateway.loose.id
}

resource "aws_eip" "nat" {
  domain = "vpc"
  tags   = { Name = "nat" }
}

resource "aws_eip" "spare" {
  domain = "vpc"
}

resource "aws_nat_gateway" "main" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public["a"].id
  depends_on    = [aws_internet_gateway.main]
}

resource "aws_nat_gateway" "private" {
  connectivity_type = "private"
  subnet_id         = aws_subnet.private.id
}

resource "aws_route_table" "inline" {
  vpc_id = aws_vpc.main.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
  tags = { Name = "inline" }
}

resource "aws_route_table" "separate" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route" "separate" {
  route_table_id         = aws_route_table.separate.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main.id
}

resource "aws_route_table_association" "public" {
  for_each       = aws_subnet.public
  subnet_id      = each.value.id
  route_table_id = aws_route_table.inline.id
}

resource "aws_route_table_association" "private" {
  subnet_id      = aws_subnet.private.id
  route_table_id = aws_route_table.separate.id
}

resource "aws_default_route_table" "plain" {
  default_route_table_id = aws_vpc.plain.default_route_table_id
  tags                   = { Name = "adopted" }
}

resource "aws_network_acl" "inline" {
  vpc_id     = aws_vpc.main.id
  subnet_ids = [aws_subnet.private.id]

  ingress {
    protocol   = "tcp"
    rule_no    = 100
    action     = "allow"
    cidr_block = "10.1.0.0/16"
    from_port  = 80
    to_port    = 443
  }

  ingress {
    protocol   = "icmp"
    rule_no    = 110
    action     = "deny"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
    icmp_type  = 8
    icmp_code  = 0
  }

  egress {
    protocol   = "-1"
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  tags = { Name = "inline" }
}

resource "aws_network_acl" "separate" {
  vpc_id = aws_vpc.main.id
}

resource "aws_network_acl_rule" "separate" {
  network_acl_id = aws_network_acl.separate.id
  rule_number    = 200
  egress         = true
  protocol       = "udp"
  rule_action    = "allow"
  cidr_block     = "0.0.0.0/0"
  from_port      = 53
  to_port        = 53
}

resource "aws_network_acl_association" "separate" {
  network_acl_id = aws_network_acl.separate.id
  subnet_id      = aws_subnet.public["c"].id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.ap-northeast-1.s3"
  route_table_ids = [aws_route_table.separate.id]
}

resource "aws_security_group" "endpoint" {
  name   = "endpoint"
  vpc_id = aws_vpc.main.id
}

resource "aws_vpc_endpoint" "ecr" {
  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.ap-northeast-1.ecr.dkr"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = [aws_subnet.private.id]
  security_group_ids  = [aws_security_group.endpoint.id]
  private_dns_enabled = true
  tags                = { Name = "ecr" }
}
