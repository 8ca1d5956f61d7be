DROP TABLE roll_metric_hist;
DROP TABLE roll_metric;
DROP TABLE metric_state;
DROP TABLE metric_series;
