"""The commands of `zoo`: a module for each, named as the command is typed, with one public function of that name."""
