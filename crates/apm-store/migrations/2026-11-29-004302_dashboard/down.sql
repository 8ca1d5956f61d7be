DROP TABLE dashboard_pin;
