"""Asks a server's tools by Python's client of the Model Context Protocol, and prints what it got as JSON."""

import asyncio
import json
import sys

from mcp import Client

CALLS = [
    ("services", {"from": "now-1h"}),
    ("slow_transactions", {"service": "shop"}),
    ("statements", {"service": "shop"}),
    ("errors", {}),
    ("insights", {}),
    ("trace", {"trace": "0af7651916cd43dd8448eb211c80319c"}),
    ("sql", {"sql": "SELECT name, duration_ms FROM v_transactions"}),
    ("sql", {"sql": "DELETE FROM tx"}),
    ("logs", {"q": "message: shipped"}),
    ("check", {"service": "shop", "max_statements_per_request": 5}),
    ("trace", {"trace": "none"}),
    ("compare", {"service": "shop"}),
]


async def main(url):
    async with Client(url) as client:
        tools = await client.list_tools()
        resources = await client.list_resources()
        views = await client.read_resource(resources.resources[0].uri)
        answers = []
        for name, arguments in CALLS:
            result = await client.call_tool(name, arguments)
            answers.append([name, bool(result.is_error), result.content[0].text])
    print(
        json.dumps(
            {
                "tools": [tool.name for tool in tools.tools],
                "views": views.contents[0].text,
                "answers": answers,
            }
        )
    )


asyncio.run(main(sys.argv[1]))
