// A service under Elastic's agent for Go, asked a few things by itself. The agent reads the address of the server
// from the environment before main begins.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"go.elastic.co/apm"
	"go.elastic.co/apm/module/apmhttp"
)

func people(w http.ResponseWriter, r *http.Request) {
	apm.TransactionFromContext(r.Context()).Context.SetLabel("kind", "people")
	span, _ := apm.StartSpanOptions(r.Context(), "SELECT", "db.sqlite.query", apm.SpanOptions{ExitSpan: true})
	span.Context.SetDatabase(apm.DatabaseSpanContext{
		Instance: "people.db", Statement: "SELECT 1 WHERE 1 <= ?", Type: "sql"})
	span.End()
}

func broken(w http.ResponseWriter, r *http.Request) {
	apm.CaptureError(r.Context(), errors.New("nothing is no city")).Send()
	w.WriteHeader(500)
}

func main() {
	os.Setenv("ELASTIC_APM_SERVICE_NAME", "go-service")
	os.Setenv("ELASTIC_APM_ENVIRONMENT", "test")
	os.Setenv("ELASTIC_APM_METRICS_INTERVAL", "1s")
	os.Setenv("ELASTIC_APM_LOG_FILE", "stderr")
	os.Setenv("ELASTIC_APM_LOG_LEVEL", "warning")
	tracer, err := apm.NewTracer("", "")
	if err != nil {
		panic(err)
	}
	apm.DefaultTracer = tracer
	mux := http.NewServeMux()
	mux.HandleFunc("/people", people)
	mux.HandleFunc("/broken", broken)
	server := httptest.NewServer(apmhttp.Wrap(mux, apmhttp.WithTracer(tracer)))
	for _, path := range []string{"/people", "/people", "/broken"} {
		answer, err := http.Get(server.URL + path)
		if err != nil {
			panic(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	server.Close()
	linger, _ := time.ParseDuration(os.Getenv("LINGER") + "s")
	time.Sleep(2*time.Second + linger)
	tracer.Flush(nil)
	ended, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	tracer.SendMetrics(ended.Done())
	tracer.Flush(ended.Done())
	fmt.Println("made transaction=3 span=2 error=1")
}
