# Stand-ins for what build.sh makes: the tests look at what is declared, not at the code.
terraform {
  required_version = ">= 1.7"
}

resource "terraform_data" "package" {
  for_each = toset([for path in fileset("${path.module}/../../../lambdas", "*/lambda_function.py") : dirname(path)])

  provisioner "local-exec" {
    command     = "echo ${each.key}> ${each.key}.zip"
    working_dir = path.module
  }
}
