"""Tsubo: the Amazon ECS system your Terraform describes, for real, on one Linux machine."""
