package ring

// Supported says whether rings exist on this system.
const Supported = true
