"""What `zoo` can do: a module for each command, named as it is typed, with one public function of that name."""
