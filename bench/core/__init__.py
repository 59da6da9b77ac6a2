"""What every package may import: errors, registries, images, devices, fingerprints."""
