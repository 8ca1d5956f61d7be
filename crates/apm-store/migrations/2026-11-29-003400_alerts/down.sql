DROP TABLE alert_delivery;
DROP TABLE alert_history;
DROP TABLE alert_state;
DROP TABLE alert_watch;
DROP TABLE alert_silence;
DROP TABLE alert_receiver;
DROP TABLE alert_rule;
