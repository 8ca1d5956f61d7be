DROP TABLE agent_config;
