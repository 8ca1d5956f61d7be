ALTER TABLE roll_caller DROP COLUMN looped;
