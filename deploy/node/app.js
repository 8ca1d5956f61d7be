// A service on Node.js under Elastic's agent, which reads ELASTIC_APM_* itself. It asks the service in Python.
const apm = require('elastic-apm-node').start({ cloudProvider: 'none' })
const http = require('node:http')

const python = process.env.PYTHON_URL ?? 'http://127.0.0.1:8081/country'

const server = http.createServer((request, response) => {
  apm.setTransactionName(`${request.method} /`)
  http
    .get(python, (answer) => {
      response.statusCode = answer.statusCode
      answer.pipe(response)
    })
    .on('error', (error) => {
      response.statusCode = 502
      response.end(`${error.message}\n`)
    })
})

server.listen(Number(process.env.PORT ?? 8082), process.env.HOST ?? '0.0.0.0')
