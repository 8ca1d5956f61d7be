"""A Flask service under Elastic's agent, asked a few things by itself."""

import logging
import os
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.request

import elasticapm
from elasticapm.contrib.flask import ElasticAPM
from elasticapm.handlers.logging import LoggingHandler
from flask import Flask
from werkzeug.serving import make_server

app = Flask(__name__)
app.config["ELASTIC_APM"] = {
    "SERVER_URL": sys.argv[1],
    "SERVICE_NAME": "flask-service",
    "ENVIRONMENT": "test",
    "API_REQUEST_TIME": "100ms",
    "METRICS_INTERVAL": "1s",
    "CLOUD_PROVIDER": "none",
    "DEBUG": True,
}
apm = ElasticAPM(app)
log = logging.getLogger("shop")
log.addHandler(LoggingHandler(client=apm.client))


@app.route("/people/<int:number>")
def people(number):
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT)")
    database.execute("INSERT INTO people (city) VALUES (?)", ("dublin",))
    rows = database.execute("SELECT city FROM people WHERE id <= ?", (number,)).fetchall()
    database.close()
    elasticapm.label(found=len(rows), kind="people")
    return {"rows": rows}


@app.route("/broken")
def broken():
    return {}["nothing"]


@app.route("/logged")
def logged():
    log.error("the shelf is empty")
    return "ok"


server = make_server("127.0.0.1", 0, app)
threading.Thread(target=server.serve_forever, daemon=True).start()
for path in ("/people/7", "/logged", "/broken"):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=10).read()
    except urllib.error.HTTPError as error:
        assert error.code == 500, error
# The metrics are sent once a second; whoever waits for the settings to be asked for again says so.
time.sleep(1.5 + float(os.environ.get("LINGER", "0")))
server.shutdown()
apm.client.close()
