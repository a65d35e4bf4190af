"""Templates of a new domain, which `zoo new` fills in: names end in .tmpl, $name and $title are replaced."""
