"""The Terraform provider: a resource becomes AWS calls on the endpoint."""
