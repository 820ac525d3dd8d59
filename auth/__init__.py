"""Keys, tokens, principals, scopes and the policy that says who may do what. No web framework inside."""
