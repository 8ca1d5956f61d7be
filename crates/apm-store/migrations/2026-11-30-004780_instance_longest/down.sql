ALTER TABLE roll_instance DROP COLUMN longest;
