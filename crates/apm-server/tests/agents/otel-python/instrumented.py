"""A Flask service without a word about telemetry, started by `opentelemetry-instrument` and asked a few things."""

import logging
import sqlite3
import threading
import urllib.error
import urllib.request

from flask import Flask
from werkzeug.serving import make_server

app = Flask(__name__)
log = logging.getLogger("shop")


@app.route("/people/<int:number>")
def people(number):
    database = sqlite3.connect(":memory:")
    rows = database.cursor().execute("SELECT 1 WHERE 1 <= ?", (number,)).fetchall()
    database.close()
    log.warning("the shelf is empty")
    return {"rows": rows}


@app.route("/broken")
def broken():
    return {}["nothing"]


server = make_server("127.0.0.1", 0, app)
threading.Thread(target=server.serve_forever, daemon=True).start()
for path in ("/people/7", "/broken"):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=10).read()
    except urllib.error.HTTPError as error:
        assert error.code == 500, error
server.shutdown()
