"""From a recipe to a trainer that can start: machine, data, weights, estimates."""
