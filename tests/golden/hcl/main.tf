# Terraform's own settings: the file's first comment.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
  backend "s3" {
    bucket = "state"
  }
}

provider "aws" {
  region = var.region
}

provider "aws" {
  alias  = "west"
  region = "us-west-2"
}

# Where it runs.
variable "region" {
  type        = string
  description = "resource \"not\" \"one\" {"
  default     = "eu-central-1" # a comment
}

variable "sizes" { type = map(object({ cpu = number, memory = optional(number, 512) })) }

locals {
  # Of every resource.
  tags = merge(var.extra_tags, { Name = "web-${var.region}" })
  names    = [for n in var.names : upper(n) if n != ""]
  größe    = 3 // how many
  user_data = <<-EOT
    #!/bin/sh
    resource "in_heredoc" "none" {}
    echo ${local.names[0]}
  EOT
}

/* The machine image,
 * the newest. */
data "aws_ami" "ubuntu" {
  most_recent = true
  filter {
    name   = "name"
    values = ["ubuntu/images/*"]
  }
}

// The web server.
resource "aws_instance" "web" {
  count         = length(local.names)
  ami           = data.aws_ami.ubuntu.id
  instance_type = count.index == 0 ? "t3.large" : "t3.micro"
  tags          = local.tags

  dynamic "ebs_block_device" {
    for_each = var.volumes
    content {
      device_name = ebs_block_device.value.name
    }
  }

  provisioner "local-exec" {
    command = "echo ${self.private_ip} >> ${path.module}/ips.txt"
  }

  lifecycle { create_before_destroy = true }
}

module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.1.0"
  subnets = module.subnets.ids
}

module "subnets" { source = "./modules/subnets" }

output "addresses" {
  value     = aws_instance.web[*].public_ip
  sensitive = true
}

moved {
  from = aws_instance.old
  to   = aws_instance.web
}

resource aws_s3_bucket unquoted {
  bucket = "x"
}

check "health" {
  data "http" "web" {
    url = "https://${aws_instance.web[0].public_dns}"
  }
  assert {
    condition     = data.http.web.status_code == 200
    error_message = "not up"
  }
}
