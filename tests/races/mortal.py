"""The product, with one difference: a request that asks for it dies after its commit and before its answer."""

import os
import signal

from tests.served import application as product


def application(environ, start_response):
    answer = product(environ, start_response)
    if environ.get("HTTP_X_DIE_BEFORE_ANSWERING"):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
