"""The control plane: the AWS endpoint, the store, and one package for each service that is ours."""
