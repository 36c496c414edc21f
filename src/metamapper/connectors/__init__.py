"""Reading datastores: a framework-free library of engines behind one small protocol."""
