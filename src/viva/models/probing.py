"""What a probe calls, and how it concludes what a model can do."""
