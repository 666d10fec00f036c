"""CodeDeploy for the Lambda compute platform: deployments that shift an alias from one version to another."""
