//! Elastic APM agent for actix-web and Diesel.
