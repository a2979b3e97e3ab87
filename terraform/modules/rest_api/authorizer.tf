# Tokens, not whole requests: API Gateway refuses by itself what holds none, and keeps an answer by its token. For a minute
# only, since a token that expires meanwhile goes on being admitted.
resource "aws_api_gateway_authorizer" "this" {
  count = var.auth == "jwt" ? 1 : 0

  name                             = "tokens"
  rest_api_id                      = aws_api_gateway_rest_api.this.id
  type                             = "TOKEN"
  identity_source                  = "method.request.header.Authorization"
  identity_validation_expression   = "^[Bb]earer [A-Za-z0-9._~+/=-]+$"
  authorizer_uri                   = var.authorizer.invoke_arn
  authorizer_result_ttl_in_seconds = 60
}

resource "aws_lambda_permission" "authorizer" {
  count = var.auth == "jwt" ? 1 : 0

  statement_id  = "AllowApi"
  action        = "lambda:InvokeFunction"
  function_name = var.authorizer.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/authorizers/${aws_api_gateway_authorizer.this[0].id}"
}

# As aws_lambda_permission.alias.
resource "aws_lambda_permission" "authorizer_alias" {
  count = try(var.authorizer.qualifier, null) == null ? 0 : 1

  statement_id_prefix = "AllowApi"
  action              = "lambda:InvokeFunction"
  function_name       = var.authorizer.name
  qualifier           = var.authorizer.qualifier
  principal           = "apigateway.amazonaws.com"
  source_arn          = "${aws_api_gateway_rest_api.this.execution_arn}/authorizers/${aws_api_gateway_authorizer.this[0].id}"

  lifecycle {
    create_before_destroy = true
  }
}
