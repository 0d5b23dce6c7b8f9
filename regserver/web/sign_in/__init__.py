"""The routes under /login: sign-in and sign-out, sign-up, who is who."""
