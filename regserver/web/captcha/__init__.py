"""The built-in captcha over HTTP."""
