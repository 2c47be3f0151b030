# Who may talk to whom: the world to the load balancer, the load balancer to both services, the proxy to the backend.

resource "aws_security_group" "load_balancer" {
  name        = "${var.service_name}-sg"
  description = "Load balancer: HTTPS from anywhere"
  vpc_id      = aws_vpc.main.id

  ingress {
    description = "HTTPS"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }

  tags = {
    Name = "${var.service_name}-sg"
  }
}

resource "aws_security_group" "backend" {
  name        = "${var.service_name}-backend-sg"
  description = "Backend: HTTP from the load balancer and from the proxy"
  vpc_id      = aws_vpc.main.id

  ingress {
    description     = "HTTP"
    from_port       = 80
    to_port         = 80
    protocol        = "tcp"
    security_groups = [aws_security_group.load_balancer.id, aws_security_group.proxy.id]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }

  tags = {
    Name = "${var.service_name}-backend-sg"
  }
}

resource "aws_security_group" "proxy" {
  name        = "${var.service_name}-proxy-nginx-sg"
  description = "Proxy: HTTP from the load balancer"
  vpc_id      = aws_vpc.main.id

  ingress {
    description     = "HTTP"
    from_port       = 80
    to_port         = 80
    protocol        = "tcp"
    security_groups = [aws_security_group.load_balancer.id]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }

  tags = {
    Name = "${var.service_name}-proxy-nginx-sg"
  }
}
