DROP INDEX resource_service;
