"""Numbers at the edges of what JSON readers agree on."""

from tests.abuse.corpora.case import Number

_EXACT = "an integer of 64 bits keeps its value"
_BEYOND = "readers of doubles would round it"
_DOUBLE = "the nearest double, as for every reader"
_HUGE = "no double is so large"

NUMBERS: list[Number] = [
    *(
        Number(name, text, text, _EXACT)
        for name, text in {
            "zero": "0",
            "one": "1",
            "minus one": "-1",
            "2^7-1": "127",
            "2^8": "256",
            "2^15": "32768",
            "2^31-1": "2147483647",
            "2^31": "2147483648",
            "-2^31": "-2147483648",
            "-2^31-1": "-2147483649",
            "2^32-1": "4294967295",
            "2^32": "4294967296",
            "2^53-1": "9007199254740991",
            "2^53": "9007199254740992",
            "2^53+1": "9007199254740993",
            "-2^53-1": "-9007199254740993",
            "18 digits": "999999999999999999",
            "19 digits that fit": "9223372036854775806",
            "2^63-1": "9223372036854775807",
            "2^63": "9223372036854775808",
            "-2^63": "-9223372036854775808",
            "2^64-2": "18446744073709551614",
            "2^64-1": "18446744073709551615",
            "a moment in microseconds": "1706933106789012",
            "a moment in nanoseconds": "1706933106789012345",
        }.items()
    ),
    *(
        Number(name, text, None, _BEYOND)
        for name, text in {
            "2^64": "18446744073709551616",
            "2^64+1": "18446744073709551617",
            "-2^63-1": "-9223372036854775809",
            "-2^64": "-18446744073709551616",
            "20 digits": "99999999999999999999",
            "21 digits": "123456789012345678901",
            "30 digits": "1" * 30,
            "10^100": "1" + "0" * 100,
            "400 digits": "7" * 400,
            "401 digits": "7" * 401,
            "4,300 digits": "7" * 4_300,
            "4,301 digits": "7" * 4_301,
            "10,000 digits": "7" * 10_000,
            "-10^40": "-1" + "0" * 40,
        }.items()
    ),
    *(
        Number(name, text, stored, why)
        for name, (text, stored, why) in {
            "minus zero": ("-0", "0", "zero has no sign among integers"),
            "minus zero with a fraction": ("-0.0", "-0.0", "a double keeps the sign"),
            "zero with a fraction": ("0.0", "0.0", "a double"),
            "zero with an exponent": ("0e0", "0.0", "a double"),
            "zero with a huge exponent": ("0e999999999", "0.0", "zero all the same"),
            "one with a fraction": ("1.0", "1.0", "a double stays one"),
            "one with an exponent": ("1e0", "1.0", "a double"),
            "capital exponent": ("1E2", "100.0", "a double"),
            "exponent with plus": ("1e+2", "100.0", "a double"),
            "exponent with minus": ("1e-2", "0.01", "a double"),
            "exponent with zeros": ("1e00002", "100.0", "a double"),
            "a tenth": ("0.1", "0.1", _DOUBLE),
            "a tenth in full": (
                "0.1000000000000000055511151231257827021181583404541015625",
                "0.1",
                _DOUBLE,
            ),
            "a third": ("0.3333333333333333", "0.3333333333333333", _DOUBLE),
            "seventeen digits": ("0.30000000000000004", "0.30000000000000004", _DOUBLE),
            "twenty digits after the point": (
                "0.12345678901234567890",
                "0.12345678901234568",
                _DOUBLE,
            ),
            "2^53+1 with a fraction": ("9007199254740993.0", "9007199254740992.0", _DOUBLE),
            "2^64 with a fraction": ("18446744073709551616.0", "18446744073709551616.0", _DOUBLE),
            "2^64 with an exponent": ("18446744073709551616e0", "18446744073709551616.0", _DOUBLE),
            "10^25 with an exponent": ("1e25", "1e25", _DOUBLE),
            "10^100 with an exponent": ("1e100", "1e100", _DOUBLE),
            "largest double": ("1.7976931348623157e308", "1.7976931348623157e308", _DOUBLE),
            "largest double, negative": (
                "-1.7976931348623157e308",
                "-1.7976931348623157e308",
                _DOUBLE,
            ),
            "just rounded down to it": (
                "1.7976931348623158e308",
                "1.7976931348623157e308",
                _DOUBLE,
            ),
            "smallest normal double": (
                "2.2250738585072014e-308",
                "2.2250738585072014e-308",
                _DOUBLE,
            ),
            "a subnormal double": ("2.225073858507201e-308", "2.225073858507201e-308", _DOUBLE),
            "hard to round": ("2.2250738585072011e-308", "2.225073858507201e-308", _DOUBLE),
            "smallest double": ("5e-324", "5e-324", _DOUBLE),
            "half of the smallest": ("2e-324", "0.0", "nearer to zero than to any other double"),
            "1e-400": ("1e-400", "0.0", "nearer to zero than to any other double"),
            "-1e-400": ("-1e-400", "-0.0", "nearer to zero, whose sign it keeps"),
            "exponent of twenty digits, negative": ("1e-99999999999999999999", "0.0", "zero"),
            "a hundred digits and an exponent": ("1" * 100 + "e-99", "1.1111111111111112", _DOUBLE),
            "halfway between two doubles": ("9007199254740993e0", "9007199254740992.0", _DOUBLE),
            "a little more than halfway": (
                "9007199254740993.00000000000000000000001",
                "9007199254740994.0",
                _DOUBLE,
            ),
        }.items()
    ),
    *(
        Number(name, text, None, why)
        for name, (text, why) in {
            "1e309": ("1e309", _HUGE),
            "-1e309": ("-1e309", _HUGE),
            "1e400": ("1e400", _HUGE),
            "1e999999999": ("1e999999999", _HUGE),
            "exponent of twenty digits": ("1e99999999999999999999", _HUGE),
            "just above the largest double": ("1.7976931348623159e308", _HUGE),
            "400 digits with a fraction": ("9" * 400 + ".0", _HUGE),
            "0.1e310": ("0.1e310", _HUGE),
            "NaN": ("NaN", "JSON has no such number"),
            "Infinity": ("Infinity", "JSON has no such number"),
            "-Infinity": ("-Infinity", "JSON has no such number"),
        }.items()
    ),
]
