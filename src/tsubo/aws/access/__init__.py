"""What tasks may do: roles and their policies, as IAM (moto's) keeps them, and what follows from them."""
