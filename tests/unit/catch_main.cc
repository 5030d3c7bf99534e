// The one main() of all unit tests: Catch2's takes ten seconds to compile.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
