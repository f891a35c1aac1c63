"""Development stack: embedded servers, process supervisor, stand-in, callback sink and demo."""
