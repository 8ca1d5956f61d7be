"""A service on Flask under Elastic's agent: `/country` asks the article's service who lives where."""

import os
import sqlite3
import urllib.request

from elasticapm.contrib.flask import ElasticAPM
from flask import Flask

app = Flask(__name__)
ElasticAPM(app)
PEOPLE = os.environ.get("PEOPLE_URL", "http://127.0.0.1:8080/people")


@app.route("/country")
def country():
    with urllib.request.urlopen(PEOPLE, timeout=5) as answer:
        person = answer.read().decode()
    # A database of its own, so that the trace has statements of two services.
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE visit (person TEXT)")
    database.execute("INSERT INTO visit (person) VALUES (?)", (person,))
    visits = database.execute("SELECT count(*) FROM visit").fetchone()[0]
    database.close()
    return {"person": person, "visits": visits}


@app.route("/broken")
def broken():
    return {}["nothing"]


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "0.0.0.0"), port=int(os.environ.get("PORT", "8081")))
