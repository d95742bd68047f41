"""One file per thing the product does: gather through ports, ask the domain, hand on."""
