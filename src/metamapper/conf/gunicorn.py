"""The shipped gunicorn settings, plain values. ``METAMAPPER_GUNICORN_CONFIG_PATH`` names a file that replaces them."""

wsgi_app = "metamapper.project.wsgi:application"
bind = "localhost:5050"

# Threads serve many readers from little memory; two processes keep a heavy page from holding up the others.
worker_class = "gthread"
workers = 2
threads = 8
# The application is loaded once, before the fork: quicker to start, and its pages of memory are shared.
preload_app = True

timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 10_000
max_requests_jitter = 1000

# Requests are told by whatever stands in front; here only what went wrong.
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
