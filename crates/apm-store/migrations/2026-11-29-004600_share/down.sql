DROP TABLE share_peer;
DROP TABLE share_node;
DROP TABLE share_own;
DROP TABLE share_delta;
DROP TABLE share_caller;
DROP TABLE share_journal;
