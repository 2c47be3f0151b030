variable "service_name" {
  description = "The name that everything here is called by."
  type        = string
  default     = "ecs-navi"
}

variable "region" {
  type    = string
  default = "ap-northeast-1"
}

variable "domain_name" {
  description = "The public domain: the proxy answers there, the backend at api.<domain>."
  type        = string
  default     = "ecs-navi.site"
}

variable "image_tag" {
  type    = string
  default = "latest"
}

variable "backend_desired_count" {
  type    = number
  default = 1
}

variable "proxy_desired_count" {
  type    = number
  default = 1
}
