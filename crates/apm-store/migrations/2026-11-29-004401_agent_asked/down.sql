DROP TABLE agent_asked;
